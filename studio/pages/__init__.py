"""The pages of the studio, one module a section; each module's `pages` lists its routes."""
from studio.pages import account, inbox, people, topics

ALL = (account, topics, inbox, people)
