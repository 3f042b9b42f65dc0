"""The fault suite: what is done to a service under load, and what must hold after it.

python -m tests.faults     tries each fault several times and writes docs/reliability.md: `make faults`
test_short.py              the most telling ones, in `make test`
test_no_room.py            what is said, and what waits, while the disk of the database is full

town.py        a service with a fleet, its load, and how it comes to rest
load.py        who sends, asks and reads without a pause, and remembers what was acknowledged
kinds.py       the faults of a town: kills, restarts, pauses, no connections
cut.py         a proxy before PostgreSQL that cuts connections in every phase
disk.py        a disk that is full
twins.py       two of everything at once
migration.py   an upgrade that is killed
suite.py       tries a fault, takes the time, checks
page.py        docs/reliability.md
"""
