"""Every law by its id, checked on what one step showed."""
