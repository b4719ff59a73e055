"""Why it holds: the lemmas that the obligations rest on."""
