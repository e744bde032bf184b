"""What the pages and the REST interface share, one noun a module; `Service` holds the parts."""
