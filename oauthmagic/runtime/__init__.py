"""A token's life: leeway, renewal under a lock, replay after a 401."""
