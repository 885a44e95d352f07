"""An authority in a folder: signs certificates, and revokes them."""
