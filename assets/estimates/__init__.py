"""What is computed from core by `pipelines/energy`. Nothing here reads a raw table."""
