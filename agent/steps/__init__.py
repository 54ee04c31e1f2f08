"""The steps of the loop, one file each: small functions from state to state update that call typed tools."""
