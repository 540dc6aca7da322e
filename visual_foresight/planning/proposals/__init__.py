"""Sources of action sequences that deserve a place in the first population: one file each."""
