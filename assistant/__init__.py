"""The core of the assistant in plain Python: content, understanding, safety, places, directory."""
