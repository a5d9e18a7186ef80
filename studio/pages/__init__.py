"""The pages of the studio, one module a section; each module's `pages` lists its routes."""
from studio.pages import account, inbox, models, people, publish, topics

ALL = (account, topics, inbox, publish, people, models)
