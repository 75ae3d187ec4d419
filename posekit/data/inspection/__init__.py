"""What a file is, what is wrong with it, how to mend it: decided by its content, whatever it is called."""
