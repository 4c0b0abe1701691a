// A client's connection as its server sees it, whatever protocol it speaks.
#pragma once

namespace gatehouse::net {

class ServedConnection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// Called once, by the loop; may destroy the connection.
    virtual void ended(ServedConnection& connection) = 0;
  };

  virtual ~ServedConnection() = default;
  virtual void start() = 0;
  /// Tells the client to open no other request here, where its protocol can; serves on.
  virtual void dismiss() = 0;
  /// Ends an idle connection; one that is busy ends after its exchanges.
  virtual void drain() = 0;
  /// Resets the connection, and cancels what is under way.
  virtual void abort() = 0;
};

}  // namespace gatehouse::net
