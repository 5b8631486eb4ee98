"""The error of this folder: figures that no estimate can be made of."""


class EnergyInputError(ValueError):
    """A figure is missing, not a number, or outside what the method covers; the text says which and what is asked."""
