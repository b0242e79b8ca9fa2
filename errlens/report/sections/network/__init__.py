"""What the results of `errlens network` say, on the page: a file a kind of result."""
