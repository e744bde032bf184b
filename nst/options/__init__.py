"""Everything a user can set, each option declared once; the command line, the page, REST and the docs read it."""
