"""What a network computes, operation by operation, and rules that replace their gradients."""
