"""Reports: how many tickets were opened and closed, how soon staff replied, and what is open."""
