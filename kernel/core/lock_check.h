/*
 * The checks of debug builds, see lock.h; nothing in others. What each place of the lock, scheduler and interrupt code
 * reports to lock_check.c, which panics when a rule is broken.
 */
#ifndef KERNEL_CORE_LOCK_CHECK_H
#define KERNEL_CORE_LOCK_CHECK_H

struct mutex;
struct spinlock;
struct thread;

#ifdef DRUPE_DEBUG

#define SPINLOCK_INIT(name_)                                                                                           \
	{                                                                                                              \
		.name = (name_)                                                                                        \
	}

#define LOCK_CHECK_HELD_MAX 8 /* mutexes that one thread may hold */
struct lock_check_thread {
	struct mutex *held[LOCK_CHECK_HELD_MAX];
	unsigned nr_held;
};

void lock_check_acquire(struct spinlock *lock);	 /* about to wait for it */
void lock_check_acquired(struct spinlock *lock); /* got it */
void lock_check_release(struct spinlock *lock);	 /* about to give it up */
void lock_check_mutex_init(struct mutex *mutex, const char *name);
void lock_check_mutex_acquire(struct mutex *mutex);
void lock_check_mutex_acquired(struct mutex *mutex);
void lock_check_mutex_release(struct mutex *mutex);
void lock_check_may_sleep(const char *where); /* WHERE is about to block */
void lock_check_switch(void);		      /* the run queue's lock must be all that is held */
void lock_check_cross_call(const char *where);
void lock_check_thread_exit(struct thread *thread);
void lock_check_irq_enter(void);
void lock_check_irq_exit(void);

#else

#define SPINLOCK_INIT(name_)                                                                                           \
	{                                                                                                              \
		0, 0                                                                                                   \
	}

struct lock_check_thread {
};

#define lock_check_acquire(lock) ((void)(lock))
#define lock_check_acquired(lock) ((void)(lock))
#define lock_check_release(lock) ((void)(lock))
#define lock_check_mutex_init(mutex, name) ((void)(mutex), (void)(name))
#define lock_check_mutex_acquire(mutex) ((void)(mutex))
#define lock_check_mutex_acquired(mutex) ((void)(mutex))
#define lock_check_mutex_release(mutex) ((void)(mutex))
#define lock_check_may_sleep(where) ((void)(where))
#define lock_check_switch() ((void)0)
#define lock_check_cross_call(where) ((void)(where))
#define lock_check_thread_exit(thread) ((void)(thread))
#define lock_check_irq_enter() ((void)0)
#define lock_check_irq_exit() ((void)0)

#endif

#endif
