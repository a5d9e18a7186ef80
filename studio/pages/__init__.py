"""The pages of the studio, one module a section; each module's `pages` lists its routes."""
from studio.pages import account, inbox, models, numbers, people, publish, safety, stories, topics, trial, why

ALL = (account, topics, inbox, stories, trial, why, publish, safety, numbers, people, models)
