"""How seals are put into documents and judged in them: one package a container format."""
