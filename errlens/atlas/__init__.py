"""What a layer sees, point by point: collected, made into icons, and put to the test."""
