"""Names of classes: in output order, from files, of ImageNet, and when two spellings are one."""
