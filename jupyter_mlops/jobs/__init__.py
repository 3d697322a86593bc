"""Long workflows as processes of their own, with durable events: they outlive a page reload and the server's restart."""
