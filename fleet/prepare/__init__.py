"""The first hour of an administrator: keys, vault and the inventory of the first commune, from questions."""
