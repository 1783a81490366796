"""The national seal platform: seals are filed there, renewed and put out of force, and asked about."""
