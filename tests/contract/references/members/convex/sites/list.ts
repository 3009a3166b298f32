export const listCompanySites = null
