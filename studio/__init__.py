"""The staff console: topics, stories, inbox, publishing, safety pages, people and numbers."""
