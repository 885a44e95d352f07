"""The pages of boxes: how they stand, orders to them, the map; and what these show."""
