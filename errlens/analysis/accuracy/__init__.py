"""How good a result is: metrics, calibration, and what they would be with other classes."""
