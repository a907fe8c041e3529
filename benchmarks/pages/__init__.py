"""What a page costs as the desk grows."""
