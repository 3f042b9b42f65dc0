"""storewatch: how much was each store up or down during its opening hours."""

__version__ = "0.1.0"
