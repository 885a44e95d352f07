"""Pictures on the disk: one after the other in segment files, and of earlier versions a file each."""
