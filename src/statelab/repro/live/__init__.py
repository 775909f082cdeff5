"""What is seen while it happens: the judge beside Locust, and the front page of a lab that is up."""
