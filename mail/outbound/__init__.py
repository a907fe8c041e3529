"""Mail that the desk sends about tickets."""
