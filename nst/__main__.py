"""`python -m nst`."""

from nst.cli.main import main

raise SystemExit(main())
