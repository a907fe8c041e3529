"""An app whose tasks kill their worker, each at one point of its first attempt."""
