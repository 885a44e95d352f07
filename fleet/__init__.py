"""Tools of the administrator's computer, from which the boxes are rolled out, watched and updated."""
