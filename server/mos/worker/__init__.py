"""The loop that makes what is due ring. Decides nothing: the engine and the domains do."""
