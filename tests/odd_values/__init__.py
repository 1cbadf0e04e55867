"""Values as they really come: tables that one rule's every place is held to."""
