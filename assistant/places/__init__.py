"""Where a visitor means: towns, London boroughs, counties and postcodes of the UK, and what lies beyond it."""
from assistant.places.gazetteer import Gazetteer
from assistant.places.mentions import Mention, find_places
from assistant.places.place import Lookup, Place, distance
from assistant.places.postcodes import shorten_postcodes
from assistant.places.where import says_only_where

__all__ = ["Gazetteer", "Lookup", "Mention", "Place", "distance", "find_places", "says_only_where", "shorten_postcodes"]
