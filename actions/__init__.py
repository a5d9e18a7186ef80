"""The therapist search as rasa_sdk actions: adapters around assistant/, one action a file."""
