"""The content that staff edit: topic files below data/, loaded and checked."""
from assistant.content.check import Problem, check
from assistant.content.topics import Button, Topic, Variation, load_topics, read_topic

__all__ = ["Button", "Problem", "Topic", "Variation", "check", "load_topics", "read_topic"]
