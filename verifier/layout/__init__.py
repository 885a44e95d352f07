"""What lies where in a file of a package: parts in the file of a run, files in a ZIP file."""
