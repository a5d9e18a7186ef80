"""The gateway: the only public port. Web API, channels' webhooks, delivery, journal."""
