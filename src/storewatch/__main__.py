"""`python -m storewatch`."""

from storewatch.cli import main

main()
