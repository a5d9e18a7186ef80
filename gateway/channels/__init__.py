"""Messaging services behind one small interface: gateway/channels/base.py says what a channel is."""
