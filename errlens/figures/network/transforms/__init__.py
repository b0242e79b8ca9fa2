"""What transforms and corruptions of photos do to features and predictions."""
