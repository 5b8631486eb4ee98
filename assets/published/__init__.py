"""What readers get: files made of checked tables."""
