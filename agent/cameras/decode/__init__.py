"""The process that decodes one camera, and all that runs in it."""
