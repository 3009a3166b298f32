"""The parts of a release between the two clouds: what is refused, stamped, migrated, planned and looked at."""
