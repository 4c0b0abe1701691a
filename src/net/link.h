// An intrusive, doubly linked list: members bring their own links, so that adding and removing
// allocates nothing, and one that is destroyed takes itself out.
#pragma once

#include <utility>

namespace gatehouse::net {

class Link {
 public:
  Link() = default;
  ~Link() { unlink(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool linked() const { return next_ != this; }
  void unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <class T>
  friend class LinkedList;

  void insert_before(Link& other) {
    unlink();
    previous_ = std::exchange(other.previous_, this);
    previous_->next_ = this;
    next_ = &other;
  }

  Link* previous_ = this;
  Link* next_ = this;
};

/// Holds T, which derives from Link; owns none of them. One that is in another list moves here.
template <class T>
class LinkedList {
 public:
  ~LinkedList() {
    while (pop_front() != nullptr) {
    }
  }

  bool empty() const { return !end_.linked(); }
  T* front() const { return empty() ? nullptr : static_cast<T*>(end_.next_); }
  void push_back(T& member) { member.Link::insert_before(end_); }
  T* pop_front() {
    T* const first = front();
    if (first != nullptr) first->Link::unlink();
    return first;
  }
  /// Takes all members of `other`, in order.
  void take_all(LinkedList& other) {
    while (T* const member = other.pop_front()) push_back(*member);
  }

 private:
  Link end_;
};

}  // namespace gatehouse::net
