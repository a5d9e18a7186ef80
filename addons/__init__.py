"""What Rasa needs of us: graph components, policies, NLG, channel and tracker store around `assistant/`."""
