"""Which cameras there are: ONVIF cameras on the network, USB cameras, Raspberry Pi cameras."""
